"""SPF records (RFC 7208): their language, the tree of what they include, and evaluation."""
