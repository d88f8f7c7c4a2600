"""The answers to: why is it, or is it not, in the list?"""
