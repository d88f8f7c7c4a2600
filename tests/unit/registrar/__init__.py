"""The write use cases over the real catalog and a fake consensus."""
