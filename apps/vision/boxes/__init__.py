"""Pictures with boxes: how they are read, changed, learnt from and answered."""
