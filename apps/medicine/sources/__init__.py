"""Where medical pictures come from, and what is known of whom they show."""
