from ..stores import at_once, bucket, endpoint, s3

__all__ = ["at_once", "bucket", "endpoint", "s3"]
