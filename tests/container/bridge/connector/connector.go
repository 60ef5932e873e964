package main

import (
	"context"

	"go.mau.fi/util/configupgrade"
	"maunium.net/go/mautrix/bridgev2"
	"maunium.net/go/mautrix/bridgev2/database"
	"maunium.net/go/mautrix/bridgev2/networkid"
)

const exampleConfig = `# Where the network of the test answers.
address: http://127.0.0.1:29490
`

// Connector is what all log-ins have in common.
type Connector struct {
	bridge *bridgev2.Bridge
	config struct {
		Address string `yaml:"address"`
	}
}

// Account is what the bridge's database keeps of a log-in.
type Account struct {
	Token string `json:"token"`
	// After is the number of the last event that is in Matrix.
	After int64 `json:"after"`
}

func (connector *Connector) Init(bridge *bridgev2.Bridge)     { connector.bridge = bridge }
func (connector *Connector) Start(context.Context) error      { return nil }
func (connector *Connector) GetBridgeInfoVersion() (int, int) { return 1, 1 }

func (connector *Connector) GetName() bridgev2.BridgeName {
	return bridgev2.BridgeName{
		DisplayName:          "Fixture",
		NetworkURL:           "https://fixture.invalid",
		NetworkID:            "fixture",
		BeeperBridgeType:     "fixture.invalid",
		DefaultPort:          29349,
		DefaultCommandPrefix: "!fixture",
	}
}

func (connector *Connector) GetDBMetaTypes() database.MetaTypes {
	return database.MetaTypes{UserLogin: func() any { return &Account{} }}
}

func (connector *Connector) GetCapabilities() *bridgev2.NetworkGeneralCapabilities {
	return &bridgev2.NetworkGeneralCapabilities{}
}

func (connector *Connector) GetConfig() (string, any, configupgrade.Upgrader) {
	copyKeys := func(helper configupgrade.Helper) { helper.Copy(configupgrade.Str, "address") }
	return exampleConfig, &connector.config, configupgrade.SimpleUpgrader(copyKeys)
}

func (connector *Connector) LoadUserLogin(_ context.Context, login *bridgev2.UserLogin) error {
	login.Client = newClient(connector, login)
	return nil
}

func (connector *Connector) GetLoginFlows() []bridgev2.LoginFlow {
	return []bridgev2.LoginFlow{
		{ID: "password", Name: "Password", Description: "Give your name and password"},
	}
}

func (connector *Connector) CreateLogin(
	_ context.Context, user *bridgev2.User, _ string,
) (bridgev2.LoginProcess, error) {
	return &passwordLogin{connector: connector, user: user}, nil
}

// passwordLogin is one conversation about a name and a password.
type passwordLogin struct {
	connector *Connector
	user      *bridgev2.User
}

var _ bridgev2.LoginProcessUserInput = (*passwordLogin)(nil)

func (login *passwordLogin) Cancel() {}

func (login *passwordLogin) Start(context.Context) (*bridgev2.LoginStep, error) {
	return &bridgev2.LoginStep{
		Type:   bridgev2.LoginStepTypeUserInput,
		StepID: "invalid.fixture.password",
		UserInputParams: &bridgev2.LoginUserInputParams{Fields: []bridgev2.LoginInputDataField{
			{Type: bridgev2.LoginInputFieldTypeUsername, ID: "name", Name: "name"},
			{Type: bridgev2.LoginInputFieldTypePassword, ID: "password", Name: "password"},
		}},
	}, nil
}

func (login *passwordLogin) SubmitUserInput(
	ctx context.Context, input map[string]string,
) (*bridgev2.LoginStep, error) {
	name := input["name"]
	var account Account
	if err := login.connector.ask(ctx, "", "/login", input, &account); err != nil {
		return nil, err
	}
	id := networkid.UserLoginID(name)
	if known := login.connector.bridge.GetCachedUserLoginByID(id); known != nil {
		known.Client.Disconnect()
	}
	row := &database.UserLogin{ID: id, RemoteName: name, Metadata: &account}
	made, err := login.user.NewLogin(ctx, row, nil)
	if err != nil {
		return nil, err
	}
	made.Client.Connect(made.Log.WithContext(login.connector.bridge.BackgroundCtx))
	return &bridgev2.LoginStep{
		Type:           bridgev2.LoginStepTypeComplete,
		StepID:         "invalid.fixture.complete",
		Instructions:   "Logged in as " + name,
		CompleteParams: &bridgev2.LoginCompleteParams{UserLoginID: id, UserLogin: made},
	}, nil
}
