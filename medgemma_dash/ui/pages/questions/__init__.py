"""Question Sets: how often is the model right, and would it be without the image?"""
