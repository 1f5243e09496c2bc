// Package fakebroker is a name server and brokers in the test process, on loopback sockets,
// for tests of what talks to them.
//
// It answers as a 5.5.0 name server and broker do, as far as the Remoting specification says
// so, from memory and forgetfully: queues, pops and pulls with long polls, invisible times,
// retries, FIFO, delays and transactions, but no disk, no replicas, no ACL. One file per
// request code, named by its number; each begins with what it covers and what it leaves out.
// Property names and handle formats are spelled out here once more: a misreading of the codecs
// shall not confirm itself.
//
//	fake := fakebroker.Start(t)
//	fake.SetTopic(fakebroker.Topic{Name: "orders", Type: "FIFO"})
//	broker := fake.Brokers[0]
//	broker.Control(310, func(r *fakebroker.Request) (fakebroker.Response, bool) {
//		return fakebroker.Response{Code: 2, Remark: "[OVERLOAD]system busy"}, true
//	})
//
// All methods may be called from any goroutine. Everything ends with the test.
package fakebroker
