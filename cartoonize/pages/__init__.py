"""What people look at: the review page and labelled sheets."""
