"""Takes on disk to files of other formats: `plan` says which go into which file, `write` writes them."""
