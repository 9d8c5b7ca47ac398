"""DeFormer: a decoder that deforms a body mesh over five feature levels, step by step (see README.md here)."""
