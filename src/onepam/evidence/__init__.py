"""Evidence: reports over whole populations, packed so that anybody can verify them offline."""
