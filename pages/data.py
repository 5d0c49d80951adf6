"""The data page: what history is held, and how more of it comes."""

from pages.ui.data import body

body.show()
