package main

import (
	"context"
	"time"

	"maunium.net/go/mautrix/bridgev2"
	"maunium.net/go/mautrix/bridgev2/database"
	"maunium.net/go/mautrix/bridgev2/networkid"
	"maunium.net/go/mautrix/bridgev2/simplevent"
	"maunium.net/go/mautrix/event"
)

const patience = 15 * time.Second

// bring gives an event to the framework and returns whether it is in Matrix.
func (client *Client) bring(ctx context.Context, one *Event) bool {
	id := networkid.MessageID(one.ID)
	handled := make(chan struct{})
	meta := simplevent.EventMeta{
		Type:           bridgev2.RemoteEventMessage,
		Sender:         client.sender(one),
		PortalKey:      client.portal(one.Chat),
		CreatePortal:   true,
		Timestamp:      time.UnixMilli(one.Time),
		StreamOrder:    one.Number,
		PostHandleFunc: func(context.Context, *bridgev2.Portal) { close(handled) },
	}
	if one.Kind == "receipt" {
		meta.Type, meta.CreatePortal, meta.PostHandleFunc = bridgev2.RemoteEventReadReceipt, false, nil
		client.login.QueueRemoteEvent(&simplevent.Receipt{EventMeta: meta, LastTarget: id})
		return true // the framework tells nobody whether it passed one on
	}
	client.login.QueueRemoteEvent(&simplevent.Message[*Event]{
		EventMeta: meta, Data: one, ID: id, ConvertMessageFunc: toMatrix,
	})
	select {
	case <-handled:
	case <-time.After(patience): // where no room could be made, nothing is called back
	case <-ctx.Done():
		return false
	}
	stored, err := client.connector.bridge.DB.Message.GetFirstPartByID(ctx, client.login.ID, id)
	return err == nil && stored != nil
}

func (client *Client) portal(chat string) networkid.PortalKey {
	return networkid.PortalKey{ID: networkid.PortalID(chat), Receiver: client.login.ID}
}

// toMatrix makes an event's message; a file is encrypted where the room is.
func toMatrix(
	ctx context.Context, portal *bridgev2.Portal, intent bridgev2.MatrixAPI, one *Event,
) (*bridgev2.ConvertedMessage, error) {
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: one.Text}
	if file := one.File; file != nil {
		content = &event.MessageEventContent{
			MsgType: event.MsgFile,
			Body:    file.Name,
			Info:    &event.FileInfo{MimeType: file.Type, Size: len(file.Data)},
		}
		var err error
		content.URL, content.File, err = intent.UploadMedia(
			ctx, portal.MXID, file.Data, file.Name, file.Type,
		)
		if err != nil {
			return nil, err
		}
	}
	part := &bridgev2.ConvertedMessagePart{Type: event.EventMessage, Content: content}
	return &bridgev2.ConvertedMessage{Parts: []*bridgev2.ConvertedMessagePart{part}}, nil
}

func (client *Client) HandleMatrixMessage(
	ctx context.Context, message *bridgev2.MatrixMessage,
) (*bridgev2.MatrixMessageResponse, error) {
	content := message.Content
	sent := Event{ID: string(message.Event.ID), Chat: string(message.Portal.ID), Text: content.Body}
	if content.MsgType.IsMedia() {
		bot := client.connector.bridge.Bot
		data, err := bot.DownloadMedia(ctx, content.URL, content.File)
		if err != nil {
			return nil, err
		}
		file := &File{Name: content.GetFileName(), Type: content.GetInfo().MimeType, Data: data}
		sent.Text, sent.File = "", file
	}
	var taken Event
	if err := client.ask(ctx, "/messages", sent, &taken); err != nil {
		return nil, err
	}
	return &bridgev2.MatrixMessageResponse{DB: &database.Message{
		ID:        networkid.MessageID(taken.ID),
		SenderID:  networkid.UserID(client.login.ID),
		Timestamp: time.UnixMilli(taken.Time),
	}}, nil
}

func (client *Client) HandleMatrixReadReceipt(
	ctx context.Context, receipt *bridgev2.MatrixReadReceipt,
) error {
	if receipt.ExactMessage == nil {
		return nil
	}
	read := Event{ID: string(receipt.ExactMessage.ID), Chat: string(receipt.Portal.ID)}
	return client.ask(ctx, "/receipts", read, nil)
}
