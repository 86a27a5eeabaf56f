"""The modules that public notebooks of the lesson import, under our own roof.

Names, signatures, seeds and printed formats are the lesson's; code and text are ours.
The notebooks reach them as `init_utils`, `reg_utils`, `gc_utils`, `testCases`,
`public_tests`, `test_utils`.
"""
