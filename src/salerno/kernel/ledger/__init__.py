"""The ledger: the log and the access log as leaves of Merkle trees, with signed checkpoints and a witness.

`merkle` is the arithmetic, `checkpoint` the signed note, `records` the bytes a leaf covers, `sealer` makes
checkpoints, `witness` keeps them where the database's superuser cannot reach, `verify` and `prove` use them.
"""
