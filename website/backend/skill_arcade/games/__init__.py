"""Which games there are: a manifest each, and the catalogue that checks them."""
