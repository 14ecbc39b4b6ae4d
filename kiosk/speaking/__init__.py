"""The station's voice: the sentences, their rendering and recordings, and how they are played."""
