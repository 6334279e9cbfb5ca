"""What a catalog is asked: conditions, neighbours, exactly or by an index, one photograph or thousands."""
