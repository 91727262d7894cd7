package desired

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"sigs.k8s.io/yaml"
)

// networkConfigV2 is cloud-init's network configuration, version 2, as far as we write it.
type networkConfigV2 struct {
	Version   int                 `json:"version"`
	Ethernets map[string]ethernet `json:"ethernets"`
}

type ethernet struct {
	Match         match          `json:"match"`
	DHCP4         bool           `json:"dhcp4,omitempty"`
	DHCPOverrides *dhcpOverrides `json:"dhcp4-overrides,omitempty"`
	Addresses     []string       `json:"addresses,omitempty"`
	Routes        []route        `json:"routes,omitempty"`
	Nameservers   *nameservers   `json:"nameservers,omitempty"`
}

type dhcpOverrides struct {
	UseRoutes bool `json:"use-routes"`
}

type match struct {
	MACAddress string `json:"macaddress"`
}

// route names the default destination as a prefix: "default" is not understood by every guest.
type route struct {
	To  string `json:"to"`
	Via string `json:"via"`
}

type nameservers struct {
	Addresses []string `json:"addresses"`
}

// networkDataV2 renders addresses for the data source NoCloud. An interface is found by its MAC
// address, because its name in the guest is not known.
func networkDataV2(all []InterfaceAddresses) (string, error) {
	config := networkConfigV2{Version: 2, Ethernets: map[string]ethernet{}}
	for _, a := range all {
		e := ethernet{Match: match{MACAddress: a.Interface.MAC}, DHCP4: a.DHCP, Addresses: texts(a.Addresses)}
		if a.NoRoutes {
			e.DHCPOverrides = &dhcpOverrides{}
		}
		for _, gateway := range a.Gateways {
			e.Routes = append(e.Routes, route{To: defaultRoute(gateway).String(), Via: gateway.String()})
		}
		if len(a.DNS) > 0 {
			e.Nameservers = &nameservers{Addresses: texts(a.DNS)}
		}
		config.Ethernets[a.Interface.Name] = e
	}
	rendered, err := yaml.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("rendering network data: %w", err)
	}
	return string(rendered), nil
}

// openStackNetwork is OpenStack's network_data.json, which the data source ConfigDrive reads, as
// far as we write it.
type openStackNetwork struct {
	Links    []openStackLink    `json:"links"`
	Networks []openStackSubnet  `json:"networks"`
	Services []openStackService `json:"services"`
}

type openStackLink struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	MAC  string `json:"ethernet_mac_address"`
}

type openStackSubnet struct {
	ID        string           `json:"id"`
	Link      string           `json:"link"`
	Type      string           `json:"type"`
	IPAddress string           `json:"ip_address,omitempty"`
	Netmask   string           `json:"netmask,omitempty"`
	Routes    []openStackRoute `json:"routes"`
}

type openStackRoute struct {
	Network string `json:"network"`
	Netmask string `json:"netmask"`
	Gateway string `json:"gateway"`
}

type openStackService struct {
	Type    string `json:"type"`
	Address string `json:"address"`
}

// networkDataOpenStack renders addresses for the data source ConfigDrive.
func networkDataOpenStack(all []InterfaceAddresses) (string, error) {
	data := openStackNetwork{Links: []openStackLink{}, Networks: []openStackSubnet{}, Services: []openStackService{}}
	for _, a := range all {
		data.Links = append(data.Links, openStackLink{ID: a.Interface.Name, Type: "phy", MAC: a.Interface.MAC})
		data.Networks = append(data.Networks, a.subnets()...)
		for _, server := range a.DNS {
			data.Services = append(data.Services, openStackService{Type: "dns", Address: server.String()})
		}
	}
	rendered, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("rendering network data: %w", err)
	}
	return string(rendered), nil
}

func (a InterfaceAddresses) subnets() (subnets []openStackSubnet) {
	name := a.Interface.Name
	if a.DHCP {
		return []openStackSubnet{{ID: name + "-0", Link: name, Type: "ipv4_dhcp", Routes: []openStackRoute{}}}
	}
	routed := map[bool]bool{} // by family: one default route each
	for i, address := range a.Addresses {
		v4 := address.Addr().Is4()
		subnet := openStackSubnet{
			ID: name + "-" + strconv.Itoa(i), Link: name, Type: map[bool]string{true: "ipv4", false: "ipv6"}[v4],
			IPAddress: address.Addr().String(), Netmask: netmask(address), Routes: []openStackRoute{},
		}
		for _, gateway := range a.Gateways {
			if gateway.Is4() == v4 && !routed[v4] {
				routed[v4] = true
				all := defaultRoute(gateway)
				subnet.Routes = append(subnet.Routes,
					openStackRoute{Network: all.Addr().String(), Netmask: netmask(all), Gateway: gateway.String()})
			}
		}
		subnets = append(subnets, subnet)
	}
	return subnets
}

func defaultRoute(gateway netip.Addr) netip.Prefix {
	if gateway.Is4() {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}

// netmask is the mask of a prefix in the notation of addresses.
func netmask(prefix netip.Prefix) string {
	return net.IP(net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())).String()
}

func texts[T fmt.Stringer](values []T) []string {
	result := make([]string, 0, len(values))
	for _, value := range values {
		result = append(result, value.String())
	}
	return result
}
