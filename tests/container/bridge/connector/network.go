package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

var errRefused = errors.New("the network refuses this account")

// Event is what happens in the network, and what is sent to it.
type Event struct {
	Number int64  `json:"number,omitempty"`
	Kind   string `json:"kind,omitempty"` // "message" or "receipt"
	ID     string `json:"id"`
	Chat   string `json:"chat"`           // the other person
	Mine   bool   `json:"mine,omitempty"` // of the account itself, by another device
	Text   string `json:"text,omitempty"`
	File   *File  `json:"file,omitempty"`
	Time   int64  `json:"time,omitempty"` // in milliseconds
}

// File is an attachment.
type File struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Data []byte `json:"data"`
}

// ask posts a question to the network and reads its answer.
func (connector *Connector) ask(
	ctx context.Context, token, path string, question, answer any,
) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	address := connector.config.Address + path
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusForbidden:
		return errRefused
	default:
		return fmt.Errorf("%s: %s", path, response.Status)
	}
	if answer == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
