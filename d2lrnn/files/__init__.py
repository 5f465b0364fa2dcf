"""Write models to files and read them."""
