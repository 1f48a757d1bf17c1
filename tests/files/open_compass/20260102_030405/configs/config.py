# made up for tests
