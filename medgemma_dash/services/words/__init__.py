"""Where does the model look for these words?"""
