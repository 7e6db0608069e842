"""What it costs to have images of unknown products verified: people, worlds and ways of asking."""
