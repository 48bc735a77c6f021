"""What is happening in the world: feeds of alerts, read, judged and kept. No person here. May import geo."""
