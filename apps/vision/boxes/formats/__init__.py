"""How files tell which boxes are on which picture: VOC, COCO, YOLO, and tables."""
