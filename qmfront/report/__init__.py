"""The page of a study: what came out, how sure, at what cost, with its structures to turn; one file, no network."""
