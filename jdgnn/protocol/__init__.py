"""Everything that travels between nodes: events, peers, links, messages, sample buffers, merge rules, accounts."""
