"""The pages: crisis cell, sign-in, public check-in. Thin; everything that matters happens in the services."""
