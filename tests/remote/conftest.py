from ..stores import at_once, bucket, closed, endpoint, s3

__all__ = ["at_once", "bucket", "closed", "endpoint", "s3"]
