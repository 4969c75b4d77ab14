"""Touch an autoencoder: what a page and a notebook show, and the models and images packed for it."""
