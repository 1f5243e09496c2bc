package command

// Version is what our requests say: the ordinal of V5_5_0. From 401 on the name server writes
// standard JSON, above 475 a server that shuts down answers GO_AWAY instead of closing.
const Version = 513
