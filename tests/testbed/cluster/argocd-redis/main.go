// Command redis serves the cache that Argo CD's parts share, in memory, on the address it is given.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: redis HOST:PORT")
		os.Exit(2)
	}
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	// Time passes for its keys only when it is told so.
	tick := time.Tick(time.Second)
	for {
		select {
		case <-tick:
			server.FastForward(time.Second)
		case <-stop:
			server.Close()
			return
		}
	}
}
