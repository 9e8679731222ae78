// A server on Dolt's engine: databases in memory, one superuser with a password. `server PORT` prints
// ready when it is about to listen on loopback.
package main

import (
	"fmt"
	"os"

	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
)

func main() {
	database := memory.NewDatabase("lab")
	database.BaseDatabase.EnablePrimaryKeyIndexes()
	provider := memory.NewDBProvider(database)
	engine := sqle.NewDefault(provider)
	// Without users information_schema shows nobody any views, triggers and routines.
	users := engine.Analyzer.Catalog.MySQLDb
	editor := users.Editor()
	users.AddSuperUser(editor, "app", "localhost", "app-secret")
	editor.Close()
	config := server.Config{Protocol: "tcp", Address: "127.0.0.1:" + os.Args[1]}
	listener, err := server.NewServer(config, engine, sql.NewContext, memory.NewSessionBuilder(provider), nil)
	if err != nil {
		panic(err)
	}
	fmt.Println("ready")
	if err = listener.Start(); err != nil {
		panic(err)
	}
}
