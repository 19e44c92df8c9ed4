"""Pictures that are no files on a disk: objects in buckets, members of zip archives, what web servers have."""
