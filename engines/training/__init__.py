"""Making training pictures of the free body and training the default engines on them."""
