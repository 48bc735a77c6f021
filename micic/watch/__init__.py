"""What people do with alerts: decide on doubtful ones, declare areas, open and close a situation."""
