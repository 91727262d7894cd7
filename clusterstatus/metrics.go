package clusterstatus

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
)

// The metrics, all by kubevirt_config; those of a KubevirtConfig end with it.
var (
	machinesDesc = prometheus.NewDesc("operator_kubevirtconfig_machines", "Machines that are placed in the cluster.",
		[]string{"kubevirt_config"}, nil)
	conditionDesc = prometheus.NewDesc("operator_kubevirtconfig_condition",
		"1 for the status that the condition has, 0 for the others.",
		[]string{"kubevirt_config", "type", "status"}, nil)
	infoDesc = prometheus.NewDesc("operator_kubevirtconfig_info", "1; what runs in the cluster is in the labels.",
		[]string{"kubevirt_config", "cluster_uid", "kubernetes", "kubevirt"}, nil)
	disconnectedDesc = prometheus.NewDesc("operator_kubevirtconfig_disconnected_since_seconds",
		"Unix time at which contact was lost; absent while there is contact.", []string{"kubevirt_config"}, nil)
	orphansDesc = prometheus.NewDesc("operator_kubevirtconfig_orphans",
		"Virtual machines without a Machine; absent before anybody can tell.",
		[]string{"kubevirt_config"}, nil)
	schemaDesc = prometheus.NewDesc("operator_kubevirtconfig_schema_findings",
		"Fields of kubevirt.io's definitions that the operator uses and that are missing, or differ from the first cluster's; absent before anybody can tell.",
		[]string{"kubevirt_config"}, nil)
	writesDesc = prometheus.NewDesc("operator_kubevirtconfig_status_writes_total", "Patches of the status.",
		[]string{"kubevirt_config"}, nil)
)

// metrics are the KubevirtConfigs' statuses as numbers: as they should be, also where a write
// waits.
type metrics struct {
	locked struct {
		sync.Mutex
		statuses map[string]vitistackv1alpha1.KubevirtConfigStatus
		writes   map[string]float64
		orphans  map[string]float64
		schemas  map[string]float64
	}
}

var _ prometheus.Collector = (*metrics)(nil)

func newMetrics() *metrics {
	m := &metrics{}
	m.locked.statuses = map[string]vitistackv1alpha1.KubevirtConfigStatus{}
	m.locked.writes, m.locked.orphans, m.locked.schemas = map[string]float64{}, map[string]float64{}, map[string]float64{}
	return m
}

// seen takes over a status, which nobody changes any more.
func (m *metrics) seen(config string, status vitistackv1alpha1.KubevirtConfigStatus, orphans *[]string) {
	m.locked.Lock()
	defer m.locked.Unlock()
	if orphans != nil {
		m.locked.orphans[config] = float64(len(*orphans))
	}
	m.locked.statuses[config] = status
}

// schema takes over what was found in a cluster's definitions.
func (m *metrics) schema(config string, answer *compatibility.Answer) {
	m.locked.Lock()
	defer m.locked.Unlock()
	if answer != nil && answer.Answered {
		m.locked.schemas[config] = float64(answer.Findings)
	}
}

func (m *metrics) wrote(config string) {
	m.locked.Lock()
	defer m.locked.Unlock()
	m.locked.writes[config]++
}

func (m *metrics) remove(config string) {
	m.locked.Lock()
	defer m.locked.Unlock()
	delete(m.locked.statuses, config)
	delete(m.locked.writes, config)
	delete(m.locked.orphans, config)
	delete(m.locked.schemas, config)
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{machinesDesc, conditionDesc, infoDesc, disconnectedDesc, orphansDesc,
		schemaDesc, writesDesc} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	m.locked.Lock()
	defer m.locked.Unlock()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for config, count := range m.locked.schemas {
		gauge(schemaDesc, count, config)
	}
	for config, count := range m.locked.orphans {
		gauge(orphansDesc, count, config)
	}
	for config, status := range m.locked.statuses {
		if status.Machines != nil {
			gauge(machinesDesc, float64(*status.Machines), config)
		}
		if status.DisconnectedSince != nil {
			gauge(disconnectedDesc, float64(status.DisconnectedSince.Unix()), config)
		}
		gauge(infoDesc, 1, config, status.ClusterUID, status.Versions.Kubernetes, status.Versions.KubeVirt)
		for _, condition := range status.Conditions {
			for _, each := range []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown} {
				value := 0.0
				if condition.Status == each {
					value = 1
				}
				gauge(conditionDesc, value, config, condition.Type, string(each))
			}
		}
		to <- prometheus.MustNewConstMetric(writesDesc, prometheus.CounterValue, m.locked.writes[config], config)
	}
}
