// A command through the gateway with golang.org/x/crypto/ssh: PORT KEY [KEX].
package main

import (
	"io"
	"log"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

func main() {
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		log.Fatal(err)
	}
	config := &ssh.ClientConfig{
		User:            "person",
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	}
	if len(os.Args) > 3 {
		config.KeyExchanges = []string{os.Args[3]}
	}
	client, err := ssh.Dial("tcp", "127.0.0.1:"+os.Args[1], config)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		log.Fatal(err)
	}
	session.Stdin = strings.NewReader("words\n")
	session.Stdout = os.Stdout
	session.Stderr = io.Discard
	if exit, failed := session.Run("cat; exit 9").(*ssh.ExitError); failed {
		os.Exit(exit.ExitStatus())
	}
}
