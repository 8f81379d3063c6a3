"""Methods: what each computes, and how far it is to be trusted."""
