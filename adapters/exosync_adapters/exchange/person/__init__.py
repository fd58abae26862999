"""What a person is asked to do: the script, the console's fields, and the words around them."""
