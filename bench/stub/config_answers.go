package stub

import (
	"strconv"
)

// appendTopicConfig answers GET_TOPIC_CONFIG: any topic is NORMAL.
func appendTopicConfig(out []byte, r *request) []byte {
	out, start := beginFrame(out)
	out = append(out, headStart...)
	out = append(out, '0')
	out = endHead(out, start, r.opaque, "")
	out = append(out, `{"attributes":{"message.type":"NORMAL"},"order":false,"perm":6,"readQueueNums":8,"topicFilterType":"SINGLE_TAG","topicName":"`...)
	out = append(out, r.ext(fieldTopic)...)
	out = append(out, `","topicSysFlag":0,"writeQueueNums":8}`...)
	return endFrame(out, start)
}

// appendGroupConfig answers GET_SUBSCRIPTIONGROUP_CONFIG: any group exists,
// with the defaults of a group that the broker created by itself.
func appendGroupConfig(out []byte, r *request) []byte {
	out, start := beginFrame(out)
	out = append(out, headStart...)
	out = append(out, '0')
	out = endHead(out, start, r.opaque, "")
	out = append(out, `{"attributes":{},"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable":true,"consumeMessageOrderly":false,"consumeTimeoutMinute":15,"groupName":"`...)
	out = append(out, r.ext(fieldGroup)...)
	out = append(out, `","groupRetryPolicy":{"type":"CUSTOMIZED"},"groupSysFlag":0,"notifyConsumerIdsChangedEnable":true,"retryMaxTimes":16,"retryQueueNums":1,"whichBrokerWhenConsumeSlowly":1}`...)
	return endFrame(out, start)
}

// Names under which the stub is known to name servers.
const (
	ClusterName = "DefaultCluster"
	BrokerName  = "stub-broker" // the i-th further broker is stub-broker-i
	Queues      = 8             // per topic and broker
)

func brokerName(i int) string {
	if i == 0 {
		return BrokerName
	}
	return BrokerName + "-" + strconv.Itoa(i)
}

// brokerData is the i-th broker, which is at addr, as name servers tell of it.
func brokerData(i int, addr string) string {
	return `{"brokerAddrs":{"0":"` + addr + `"},"brokerName":"` + brokerName(i) + `","cluster":"` + ClusterName + `","enableActingMaster":false}`
}

// routeBody prints the TopicRouteData for the brokers at addrs. A broker's own
// name is a topic on that broker only; every other name is on all of them.
func routeBody(topic string, addrs []string) []byte {
	first, end := 0, len(addrs)
	for i := range addrs {
		if topic == brokerName(i) {
			first, end = i, i+1
		}
	}
	out := []byte(`{"brokerDatas":[`)
	for i := first; i < end; i++ {
		if i > first {
			out = append(out, ',')
		}
		out = append(out, brokerData(i, addrs[i])...)
	}
	out = append(out, `],"filterServerTable":{},"queueDatas":[`...)
	for i := first; i < end; i++ {
		if i > first {
			out = append(out, ',')
		}
		n := strconv.Itoa(Queues)
		out = append(out, `{"brokerName":"`+brokerName(i)+`","perm":7,"readQueueNums":`+n+`,"topicSysFlag":0,"writeQueueNums":`+n+`}`...)
	}
	return append(out, ']', '}')
}

// clusterBody prints the ClusterInfo of the brokers at addrs.
func clusterBody(addrs []string) []byte {
	out, names := []byte(`{"brokerAddrTable":{`), []byte(nil)
	for i, addr := range addrs {
		if i > 0 {
			out, names = append(out, ','), append(names, ',')
		}
		name := `"` + brokerName(i) + `"`
		out, names = append(out, name+`:`+brokerData(i, addr)...), append(names, name...)
	}
	return append(out, `},"clusterAddrTable":{"`+ClusterName+`":[`+string(names)+`]}}`...)
}
