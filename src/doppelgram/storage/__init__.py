"""Where files lie: in a folder of this machine, or under a prefix of a bucket."""
