// Command grafana-testbed is a Grafana backend for tests: Grafana's own HTTP
// server, access control, SQL storage, alerting scheduler and Alertmanager,
// composed from github.com/grafana/grafana as a library. It has no web
// frontend and only the Loki, Prometheus and TestData data sources.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/grafana/alerting/receivers/pagerduty"
	"github.com/grafana/grafana/pkg/api"
	"github.com/grafana/grafana/pkg/infra/metrics"
	"github.com/grafana/grafana/pkg/infra/remotecache"
	"github.com/grafana/grafana/pkg/registry"
	"github.com/grafana/grafana/pkg/services/accesscontrol"
	"github.com/grafana/grafana/pkg/services/guardian"
	"github.com/grafana/grafana/pkg/services/ngalert"
	"github.com/grafana/grafana/pkg/services/notifications"
	"github.com/grafana/grafana/pkg/services/provisioning"
	secretsmanager "github.com/grafana/grafana/pkg/services/secrets/manager"
	"github.com/grafana/grafana/pkg/setting"
)

const grafanaModule = "github.com/grafana/grafana"

func main() {
	var (
		addr     = flag.String("addr", "127.0.0.1:3000", "address to listen on")
		data     = flag.String("data", "", "data directory (sqlite file, logs); a temporary one when empty")
		home     = flag.String("home", "", "directory with Grafana's conf and public; when empty, home beside this program, else the module cache")
		interval = flag.Duration("interval", 10*time.Second, "base evaluation interval of the scheduler (Grafana has 10s built in)")
		poll     = flag.Duration("poll", time.Second, "how often the Alertmanager takes up configuration changes (Grafana's default is 60s)")
		level    = flag.String("log", "warn", "log level")
		events   = flag.String("pagerduty", pagerduty.APIURL, "where PagerDuty events go; this version has no setting for it")
	)
	flag.Parse()
	pagerduty.APIURL = *events
	if err := run(*addr, *data, *home, *level, *interval, *poll, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

// run serves until an interrupt. Extra arguments are Grafana configuration
// overrides, "cfg:section.key=value".
func run(addr, data, home, level string, interval, poll time.Duration, overrides []string) error {
	version := moduleVersion()
	if home == "" {
		home = findHome(version)
	}
	if data == "" {
		dir, err := os.MkdirTemp("", "grafana-testbed-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		data = dir
	}
	for _, kind := range []string{"access-control", "alerting", "dashboards", "datasources", "notifiers", "plugins"} {
		if err := os.MkdirAll(filepath.Join(data, "provisioning", kind), 0o755); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(data, "plugins"), 0o755); err != nil {
		return err
	}
	// Listening first lets ":0" work: the chosen port is printed and also
	// becomes Grafana's root URL.
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	setting.BuildVersion, setting.BuildCommit, setting.BuildBranch = release(home), commit(version), "testbed"
	metrics.SetBuildInformation(setting.BuildVersion, setting.BuildCommit, setting.BuildBranch, time.Now().Unix())

	cfg, err := setting.NewCfgFromArgs(setting.CommandLineArgs{HomePath: home, Args: append([]string{
		"cfg:paths.data=" + data,
		"cfg:paths.logs=" + filepath.Join(data, "log"),
		"cfg:paths.plugins=" + filepath.Join(data, "plugins"),
		"cfg:paths.provisioning=" + filepath.Join(data, "provisioning"),
		"cfg:server.root_url=http://" + listener.Addr().String() + "/",
		"cfg:log.level=" + level,
		"cfg:log.mode=console",
		"cfg:database.wal=true",
		"cfg:analytics.reporting_enabled=false",
		"cfg:analytics.check_for_updates=false",
		"cfg:analytics.check_for_plugin_updates=false",
		"cfg:unified_alerting.enabled=true",
		"cfg:unified_alerting.ha_listen_address=",
		// Changes made through the provisioning API reach the running
		// Alertmanager by polling; 60s in Grafana.
		"cfg:unified_alerting.alertmanager_config_poll_interval=" + poll.String(),
		"cfg:unified_alerting.admin_config_poll_interval=" + poll.String(),
	}, overrides...)})
	if err != nil {
		return err
	}
	// Not user configuration in Grafana, but the scheduler takes any whole
	// number of seconds. Rule intervals must be multiples of it.
	cfg.UnifiedAlerting.BaseInterval = interval
	cfg.UnifiedAlerting.MinInterval = interval

	c, err := compose(cfg, api.ServerOptions{Listener: listener})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return c.Invoke(func(
		server *api.HTTPServer, ng *ngalert.AlertNG, notify *notifications.NotificationService,
		cache *remotecache.RemoteCache, keys *secretsmanager.SecretsService,
		roles accesscontrol.RoleRegistry, files provisioning.ProvisioningService, _ *guardian.Provider,
	) error {
		// The same steps, in the same order, as Grafana's own server.
		if err := roles.RegisterFixedRoles(ctx); err != nil {
			return err
		}
		if err := files.RunInitProvisioners(ctx); err != nil {
			return err
		}
		fmt.Printf("listening on http://%s data %s\n", listener.Addr(), data)
		return serve(ctx, server, ng, notify, cache, keys)
	})
}

// serve runs the background services until ctx ends or one of them fails.
func serve(ctx context.Context, services ...registry.BackgroundService) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, s := range services {
		if registry.IsDisabled(s) {
			continue
		}
		g.Go(func() error {
			if err := s.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("%T: %w", s, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// moduleVersion is the version of Grafana linked into this program.
func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == grafanaModule {
				return dep.Version
			}
		}
	}
	return ""
}

// findHome is where Grafana's configuration, mail templates and plugin
// descriptions are: beside this program, or where it was built from.
func findHome(version string) string {
	if program, err := os.Executable(); err == nil {
		if program, err = filepath.EvalSymlinks(program); err == nil {
			home := filepath.Join(filepath.Dir(program), "home")
			if _, err := os.Stat(home); err == nil {
				return home
			}
		}
	}
	return filepath.Join(moduleCache(), grafanaModule+"@"+version)
}

// moduleCache is where the go command keeps modules.
func moduleCache() string {
	if dir := os.Getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	gopath := os.Getenv("GOPATH")
	if gopath == "" {
		userHome, _ := os.UserHomeDir()
		gopath = filepath.Join(userHome, "go")
	}
	return filepath.Join(filepath.SplitList(gopath)[0], "pkg", "mod")
}

// commit is the last part of a pseudo-version.
func commit(version string) string {
	return version[strings.LastIndex(version, "-")+1:]
}

// release reads the version that Grafana's sources give themselves.
func release(home string) string {
	text, err := os.ReadFile(filepath.Join(home, "lerna.json"))
	if err != nil {
		return "unknown"
	}
	_, after, _ := strings.Cut(string(text), `"version": "`)
	version, _, _ := strings.Cut(after, `"`)
	return version
}
