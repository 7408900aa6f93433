module github.com/bondkit/bondkit/internal/peerbench

go 1.26.0

// The peers that we measure against stay out of the root module's requirements.
replace github.com/bondkit/bondkit => ../..

require (
	github.com/bondkit/bondkit v0.0.0-00010101000000-000000000000
	github.com/gopacket/gopacket v1.7.7
	github.com/influxdata/telegraf v1.37.2
	github.com/jsimonetti/rtnetlink/v2 v2.0.2
	github.com/mdlayher/packet v1.2.0
	github.com/vishvananda/netlink v1.3.1
	golang.org/x/sys v0.49.0
)

require (
	github.com/golang-jwt/jwt/v5 v5.3.0 // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/klauspost/compress v1.18.3 // indirect
	github.com/klauspost/pgzip v1.2.6 // indirect
	github.com/mdlayher/netlink v1.11.2 // indirect
	github.com/mdlayher/socket v0.7.0 // indirect
	github.com/vishvananda/netns v0.0.5 // indirect
	golang.org/x/net v0.59.0 // indirect
	golang.org/x/sync v0.23.0 // indirect
)
