package main

import (
	"context"
	"errors"
	"time"

	"maunium.net/go/mautrix/bridgev2"
	"maunium.net/go/mautrix/bridgev2/database"
	"maunium.net/go/mautrix/bridgev2/networkid"
	"maunium.net/go/mautrix/bridgev2/status"
	"maunium.net/go/mautrix/event"
)

// Client is the connection of one log-in.
type Client struct {
	connector *Connector
	login     *bridgev2.UserLogin
	account   *Account
	stop      context.CancelFunc
}

var _ bridgev2.NetworkAPI = (*Client)(nil)
var _ bridgev2.ReadReceiptHandlingNetworkAPI = (*Client)(nil)

func newClient(connector *Connector, login *bridgev2.UserLogin) *Client {
	account := login.Metadata.(*Account)
	return &Client{connector: connector, login: login, account: account, stop: func() {}}
}

func (client *Client) Connect(ctx context.Context) {
	ctx, client.stop = context.WithCancel(ctx)
	go client.follow(ctx)
}

func (client *Client) Disconnect()      { client.stop() }
func (client *Client) IsLoggedIn() bool { return client.account.Token != "" }

func (client *Client) LogoutRemote(ctx context.Context) {
	client.stop()
	if err := client.ask(ctx, "/logout", struct{}{}, nil); err != nil {
		client.login.Log.Err(err).Msg("The network was not told of the log-out")
	}
}

func (client *Client) IsThisUser(_ context.Context, user networkid.UserID) bool {
	return string(user) == string(client.login.ID)
}

func (client *Client) ask(ctx context.Context, path string, question, answer any) error {
	return client.connector.ask(ctx, client.account.Token, path, question, answer)
}

// follow takes what happens in the network, one thing after the other, until the log-in ends.
func (client *Client) follow(ctx context.Context) {
	for ctx.Err() == nil {
		var happened []*Event
		question := map[string]int64{"after": client.account.After}
		err := client.ask(ctx, "/events", question, &happened)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errRefused):
			client.account.Token = ""
			client.login.BridgeState.Send(status.BridgeState{
				StateEvent: status.StateBadCredentials,
				Error:      "fixture-logged-out",
				Message:    "The network has logged this account out",
				UserAction: status.UserActionRelogin,
			})
			return
		case err != nil:
			client.login.BridgeState.Send(status.BridgeState{
				StateEvent: status.StateTransientDisconnect,
				Error:      "fixture-unreachable",
				Message:    err.Error(),
			})
			time.Sleep(time.Second)
			continue
		}
		client.login.BridgeState.Send(status.BridgeState{StateEvent: status.StateConnected})
		client.take(ctx, happened)
	}
}

// take brings events to Matrix in their order. The first that does not get there ends it: the
// network is asked for it again.
func (client *Client) take(ctx context.Context, happened []*Event) {
	for _, one := range happened {
		if !client.bring(ctx, one) {
			time.Sleep(time.Second)
			return
		}
		client.account.After = one.Number
		if err := client.login.Save(ctx); err != nil {
			client.login.Log.Err(err).Msg("The place in the network's events was not kept")
			return
		}
	}
}

func (client *Client) sender(one *Event) bridgev2.EventSender {
	own := networkid.UserID(client.login.ID)
	if one.Mine {
		return bridgev2.EventSender{IsFromMe: true, SenderLogin: client.login.ID, Sender: own}
	}
	return bridgev2.EventSender{Sender: networkid.UserID(one.Chat)}
}

func (client *Client) GetChatInfo(
	_ context.Context, portal *bridgev2.Portal,
) (*bridgev2.ChatInfo, error) {
	direct, members := database.RoomTypeDM, bridgev2.ChatMemberMap{}
	for _, mine := range []bool{true, false} {
		sender := client.sender(&Event{Chat: string(portal.ID), Mine: mine})
		members.Set(bridgev2.ChatMember{EventSender: sender, Membership: event.MembershipJoin})
	}
	list := &bridgev2.ChatMemberList{IsFull: true, MemberMap: members}
	return &bridgev2.ChatInfo{Type: &direct, Members: list}, nil
}

func (client *Client) GetUserInfo(
	_ context.Context, ghost *bridgev2.Ghost,
) (*bridgev2.UserInfo, error) {
	name := string(ghost.ID) + " (Fixture)"
	return &bridgev2.UserInfo{Name: &name}, nil
}

func (client *Client) GetCapabilities(context.Context, *bridgev2.Portal) *event.RoomFeatures {
	every := &event.FileFeatures{
		MimeTypes: map[string]event.CapabilitySupportLevel{"*/*": event.CapLevelFullySupported},
	}
	return &event.RoomFeatures{
		ReadReceipts: true,
		File:         event.FileFeatureMap{event.MsgFile: every, event.MsgImage: every},
	}
}
