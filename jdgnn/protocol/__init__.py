"""What travels between nodes: events, peers, message order, sample buffers, merge rules, accounts."""
