"""Medicine: what pictures and tables say of people's health."""
