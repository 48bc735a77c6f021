"""What is counted and shown: figures with their coverage and age, changes, versions, decisions waiting."""
