"""How it runs: the command line, the local stack of servers, and the deployments."""
