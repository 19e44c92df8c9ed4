"""Numbers for a style: how near cartoons come to the art they should look like, and to the photos they are of."""
