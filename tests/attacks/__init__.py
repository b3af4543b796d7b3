"""The corpus of attacks: files that want more than to be read, and bytes that chance made of good ones.

Each is made by a function of its own, so that nothing malicious is kept in the repository. Whatever comes in, the build
ends with a SitegenError (or reads a good model), runs none of the file's code and writes outside none of its folders.
tests/test_fetch.py is the same for servers.
"""
