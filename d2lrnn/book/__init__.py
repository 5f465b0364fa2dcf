"""The book's own notebooks, unchanged: the interface of its package, standing on ours."""
