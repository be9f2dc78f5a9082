"""The commands by what a person does; each imports what it needs when it runs."""
