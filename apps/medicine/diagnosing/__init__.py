"""What problems of medicine share: names of labels, what is looked for, and a threshold that finds it."""
